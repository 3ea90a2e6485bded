import REAP
import Shim6Core
import Shim6Wire

/// Control only: contexts are made and paths are watched by Shim6's own messages, but payload is never rehomed.
public final class NoDataPath: DataPath {
    public let traits: DataPathTraits
    public let activity: any ActivityTable

    /// - Parameters:
    ///   - contexts: as many as there can be.
    ///   - why: for people, why there is no other data path.
    public init(contexts: UInt32, why: String) {
        activity = OwnActivity(count: contexts)
        traits = DataPathTraits(name: "none", obstacle: why, acceptedForms: [], sentForms: [])
    }

    public func start(at now: Instant) {}
    public func stop() {}
    public func follow(_ network: DataPathNetwork) {}
    public func install(_ entry: DataPathEntry) {}
    public func remove(_ entry: DataPathEntry) {}
    public func outgoing(of tag: ContextTag) -> LocatorPair? { nil }
    public func forget(_ ulids: ULIDPair) {}
    public var eventDescriptor: Int32 { -1 }
    public func takeEvents(at now: Instant) -> [DataPathEvent] { [] }
    public var report: DataPathReport { DataPathReport() }
}
