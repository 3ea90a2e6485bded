import Configuration
import REAP
import Shim6Core

extension HostConfiguration {
    /// What the configuration file says about the protocol.
    init(_ configuration: Configuration) {
        self.init()
        let timing = configuration.timing
        i1RetriesMax = timing.i1RetriesMax
        i1Timeout = timing.i1Timeout
        noR1HolddownTime = timing.noR1HolddownTime
        icmpHolddownTime = timing.icmpHolddownTime
        i2RetriesMax = timing.i2RetriesMax
        i2Timeout = timing.i2Timeout
        i2bisTimeout = timing.i2bisTimeout
        i2bisRetriesMax = timing.i2bisRetriesMax
        validatorMinLifetime = timing.validatorMinLifetime
        updateTimeout = timing.updateTimeout
        maxUpdateTimeout = timing.maxUpdateTimeout
        idleTimeout = timing.idleTimeout
        let reachability = configuration.reachability
        reap.sendTimeout = reachability.effectiveSendTimeout
        reap.failbackHold = reachability.effectiveFailbackHold
        if reachability.profile == .fast {
            reap.quick = QuickDetection(
                leastSilence: reachability.leastSilence, leastProbeGap: reachability.leastProbeGap)
        }
        reap.initialProbeTimeout = configuration.reachability.initialProbeTimeout
        reap.initialProbes = configuration.reachability.initialProbes
        reap.maxProbeTimeout = configuration.reachability.maxProbeTimeout
        let limits = configuration.limits
        maximumContexts = limits.maxContexts
        maximumContextsPerPeerPrefix = limits.maxContextsPerPeerPrefix
        maximumContextsPerPeerSite = limits.maxContextsPerPeerSite
        maximumHolddowns = limits.maxHolddowns
        maximumLocators = limits.maxLocators
        maximumProbesPerSecond = limits.maxProbesPerSecond
        maximumVerificationsPerSecond = limits.maxVerificationsPerSecond
        maximumProofs = limits.maxProofs
        maximumRefusals = limits.maxRefusedProofs
        maximumAnswersPerSecond = limits.maxAnswersPerSecond
        maximumContextAnswersPerSecond = limits.maxContextAnswersPerSecond
        maximumUnansweredProbes = limits.maxUnansweredProbes
        maximumAmplification = limits.maxAmplification
    }
}
