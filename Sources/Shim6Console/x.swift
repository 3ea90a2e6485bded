import NIOCore
import NIOPosix
import NIOExtras
