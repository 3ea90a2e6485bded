import Shim6Daemon

DaemonCommand.main()
