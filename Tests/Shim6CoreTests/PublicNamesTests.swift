import CGA
import Foundation
import REAP
import Shim6Core
import Shim6Wire
import Testing

/// What programs read stays as it is, whatever the cases and members of the code are called. A name may be added.
@Suite struct PublicNamesTests {
    @Test func `Drops have these names`() {
        #expect(
            DropReason.allCases.map(\.name) == [
                // Of messages.
                "truncated", "past_end", "wrong_kind", "payload_header_length", "not_shim6", "checksum",
                "multicast_address", "unspecified_address", "unknown_message_type", "too_short",
                "probe_without_report", "probe_reports_past_end", "probe_state", "option_past_end",
                "unrecognised_critical_option", "duplicate_option", "option_length", "missing_responder_validator",
                // Of proofs.
                "truncated_parameters", "malformed_public_key", "malformed_extension", "collision_count",
                "subnet_prefix", "hash1", "unassigned_sec", "hash2", "method_contradicts_parameters", "not_r_s_a",
                "key_too_short", "key_too_long", "unusable_key", "signature_length", "signature", "key_mismatch",
                "cryptography",
                // Of the protocol.
                "unknown_tag", "unknown_payload_tag", "locators_outside_sets", "unmatched_nonce", "unmatched_r1bis",
                "doubtful_r1bis",
                "answer_rate", "unexpected_in_state", "unmatched_error", "own_address", "own_tag", "own_nonce",
                "ulid_not_local", "ulid_not_usable", "validator_too_long", "stale_responder_nonce", "bad_validator",
                "superseded_introduction", "context_table_full", "too_many_contexts_of_peer",
                "too_many_contexts_of_site", "verification_rate", "parameters_missing", "signature_missing",
                "unsupported_method", "no_usable_locator", "source_not_a_locator", "peer_tag_unknown",
                "generation_out_of_sync", "wrong_number_of_locators", "superseded_update",
                "unmatched_acknowledgement", "unmatched_parameter_problem",
            ])
        #expect(Set(DropReason.allCases.map(\.name)).count == DropReason.allCases.count)
    }

    /// The compiler asks for each new case here: it belongs into `allCases` as well.
    @Test func `All drops are in the list of all`() {
        func isListed(_ reason: DropReason) -> Bool {
            switch reason {
            case .parse, .proof, .unknownTag, .unknownPayloadTag, .locatorsOutsideSets, .unmatchedNonce,
                .unmatchedR1bis, .doubtfulR1bis, .answerRate, .unexpectedInState, .unmatchedError, .ownAddress, .ownTag,
                .ownNonce,
                .ulidNotLocal, .ulidNotUsable, .validatorTooLong, .staleResponderNonce, .badValidator,
                .supersededIntroduction, .contextTableFull, .tooManyContextsOfPeer, .tooManyContextsOfSite,
                .verificationRate, .parametersMissing, .signatureMissing, .unsupportedMethod, .noUsableLocator,
                .sourceNotALocator, .peerTagUnknown, .generationOutOfSync, .wrongNumberOfLocators, .supersededUpdate,
                .unmatchedAcknowledgement, .unmatchedParameterProblem:
                DropReason.allCases.contains(reason)
            }
        }
        #expect(DropReason.allCases.allSatisfy(isListed))
        #expect(DropReason.allCases.count == ParseError.Reason.allCases.count + CGAError.allCases.count + 33)
    }

    @Test func `Counters have these names, and each has one`() {
        let counters = HostCounters()
        #expect(
            counters.byName.keys.sorted() == [
                "contexts_evicted", "dampings", "established", "idle_contexts_evicted", "known_proofs",
                "known_refusals", "probes_held_back", "recovered", "switches", "triggers_refused", "verifications",
            ])
        // The number of evicted holddowns stands beside their table.
        #expect(Mirror(reflecting: counters).children.count { $0.value is UInt64 } == counters.byName.count + 1)
        #expect(
            MessageType.allCases.map(\.name) == [
                "i1", "r1", "i2", "r2", "r1bis", "i2bis", "update_request", "update_acknowledgement", "keepalive",
                "probe", "error",
            ])
    }

    @Test func `Tables have these names, and each has one`() {
        let counters = HostCounters()
        #expect(
            counters.tables.map(\.name) == [
                "contexts", "holddowns", "proofs", "refused-proofs", "peer-keys", "paths", "locator-fates",
                "barred-pairs",
            ])
        #expect(
            Mirror(reflecting: counters).children.count { $0.value is HostCounters.TableUse } == counters.tables.count)
    }

    @Test func `States and reasons have these names`() {
        #expect(
            ContextState.allCases.map(\.rawValue) == [
                "I1-SENT", "I2-SENT", "ESTABLISHED", "I2BIS-SENT", "E-FAILED", "NO-SUPPORT",
            ])
        #expect(
            StateReason.allCases.map(\.rawValue) == [
                "trigger", "asked for by the operator", "forked by the operator", "R1 received", "I2 received",
                "R2 received", "R1bis received", "I2bis received", "no answer to I1", "no answer to I2",
                "no answer to I2bis", "peer does not know Shim6", "idle", "holddown over", "too many holddowns",
                "makes room, never used", "makes room, idle", "context confusion", "removed by the operator",
                "shutdown",
            ])
        #expect(Direction.incoming.rawValue == "in" && Direction.outgoing.rawValue == "out")
    }

    @Test func `Every reason is in the documentation of the control protocol`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../docs/control-protocol.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let reasons = StateReason.allCases.map(\.rawValue) + REAPReason.allCases.map(\.rawValue)
        #expect(reasons.filter { !text.contains("\n| `\($0)` |") }.isEmpty)
    }

    @Test func `States, reasons and timers of REAP have these names`() {
        #expect(REAPState.allCases.map(\.rawValue) == ["operational", "exploring", "inbound-ok"])
        #expect(
            REAPReason.allCases.map(\.rawValue) == [
                "send-timer-expired", "established-elsewhere", "answer-lost", "silence", "payload-lost", "hint",
                "local-locator-gone",
                "peer-locator-gone", "payload-received", "other-message-received", "keepalive-received",
                "probe-exploring-received", "probe-inbound-ok-received", "probe-operational-received",
            ])
        #expect(REAPTimer.allCases.map(\.rawValue) == ["send", "keepalive", "probe", "failback"])
        #expect(REAPHint.allCases.map(\.rawValue) == ["unreachable", "retransmission"])
        #expect(UseReason.allCases.map(\.rawValue) == ["exploration", "failback", "asked"])
        #expect(
            SwitchRefusal.allCases.map(\.rawValue) == [
                "its addresses are no usable locators of the two hosts", "it is in use", "an exploration is under way",
                "no probe on it was answered",
            ])
    }
}
