import REAP
import Shim6Wire

/// The constants of RFC 5533 section 14 and RFC 5534 section 7 under their RFC names, and the limits of this host.
///
/// Everything that a peer can make grow has a limit here.
public struct HostConfiguration: Sendable, Hashable {
    /// I1_RETRIES_MAX: retransmissions of I1 after the first one.
    public var i1RetriesMax = 4
    /// I1_TIMEOUT: nominal wait for R1 or R2 after the first I1.
    public var i1Timeout = Duration.seconds(4)
    /// NO_R1_HOLDDOWN_TIME: how long E-FAILED keeps the host from trying again.
    public var noR1HolddownTime = Duration.seconds(60)
    /// ICMP_HOLDDOWN_TIME: how long NO-SUPPORT keeps the host from trying again.
    public var icmpHolddownTime = Duration.seconds(600)
    /// I2_RETRIES_MAX: retransmissions of I2 before the host falls back to I1.
    public var i2RetriesMax = 2
    /// I2_TIMEOUT: nominal wait for R2 after the first I2.
    public var i2Timeout = Duration.seconds(4)
    /// I2bis_RETRIES_MAX: retransmissions of I2bis before the host falls back to I1.
    public var i2bisRetriesMax = 2
    /// I2bis_TIMEOUT: nominal wait for R2 after the first I2bis.
    public var i2bisTimeout = Duration.seconds(4)
    /// VALIDATOR_MIN_LIFETIME: a validator is good for at least this long, and for at most twice as long.
    public var validatorMinLifetime = Duration.seconds(30)
    /// UPDATE_TIMEOUT: nominal wait for an Update Acknowledgement after the first Update Request.
    public var updateTimeout = Duration.seconds(4)
    /// MAX_UPDATE_TIMEOUT: the nominal wait doubles up to here.
    public var maxUpdateTimeout = Duration.seconds(120)
    /// The forms of rehomed payload that the data path accepts. Peers are told if it is not just the RFC's.
    public var acceptedForms = PayloadForms.payloadHeader
    /// The forms that it can send, best first.
    public var sentForms: [PayloadForms] = [.payloadHeader]
    /// The timers of RFC 5534.
    public var reap = REAPConfiguration()
    /// A context without a packet either way for this long is removed, unless a socket needs it (RFC 5533, section 9).
    public var idleTimeout = Duration.seconds(600)

    /// Contexts that negotiate or are established: the number of activity slots. When it is reached, those that peers
    /// made and that never carried payload make room, then idle ones that were kept for a socket. Others never do.
    public var maximumContexts = 16_384
    /// Contexts with ULIDs of one /64, which is what one host can use as it likes. Limits only those that peers make.
    public var maximumContextsPerPeerPrefix = 1_024
    /// The same of one /48, which is what one site has: a quarter of all, so that nobody alone can fill the table.
    public var maximumContextsPerPeerSite = 4_096
    /// Contexts that send with one tag, which different peers may choose alike: all of them are looked at to find the one that
    /// a message is about. Tags are random, so that more than one is rare by itself.
    public var maximumContextsPerPeerTag = 32
    /// Contexts in E-FAILED or NO-SUPPORT. Beyond it the one that would end first makes room.
    public var maximumHolddowns = 4_096
    /// Locators kept of one list, own or the peer's; further ones are left out.
    public var maximumLocators = 16
    /// Probes that all contexts together may begin a second.
    public var maximumProbesPerSecond = SharedPaths.defaultProbesPerSecond
    /// I2, I2bis and Update Requests a second whose keys and signatures are looked at, and as many R2; also the size of a
    /// burst. One /48 gets half of it, one /32 three quarters.
    public var maximumVerificationsPerSecond = 1_000
    /// Verified proofs of peers that are kept, 2 KiB each at most, so that the next context of such a peer needs no
    /// verification. The one unused for longest makes room.
    public var maximumProofs = 1_024
    /// Proofs of peers that were refused: the same one again costs no verification. As large as the others, and the one
    /// unused for longest makes room.
    public var maximumRefusals = 1_024
    /// Probes to a locator of a peer at which it has answered nothing yet; from then on there is one a minute.
    public var maximumUnansweredProbes = 3
    /// Octets of Probes to all such locators of a context for each octet that the peer has sent in it.
    public var maximumAmplification = 3
    /// R2 messages a second of one context, also the size of a burst: an I2 may come again, but need not be answered each
    /// time.
    public var maximumContextAnswersPerSecond = 4

    /// R1bis messages a second to sources of one /48, and as many Errors; also the size of a burst.
    public var maximumAnswersPerSecond = 16

    public init() {}
}
