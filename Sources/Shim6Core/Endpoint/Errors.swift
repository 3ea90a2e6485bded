import REAP
import Shim6Wire

/// What an Error message says: which rule a packet broke, and where in it (RFC 5533, section 5.14).
struct Problem {
    var code: ErrorMessage.Code
    /// From the first octet of the Shim6 header on.
    var offset: Int
}

/// Error messages (RFC 5533, sections 5.14 and 12.3). They are sent within a rate for each source network, and never
/// about an Error, which has neither options nor an unknown type.
struct Errors {
    private let registry: Registry
    private var limit: SourceLimit

    init(_ configuration: HostConfiguration, _ registry: Registry) {
        self.registry = registry
        limit = SourceLimit(perSecond: configuration.maximumAnswersPerSecond)
    }

    /// Sends an Error about a packet, which is quoted with an IPv6 header: the Pointer counts from there. What the
    /// header had besides addresses and length is not known any more.
    mutating func send(
        _ problem: Problem, about octets: [UInt8], _ locators: LocatorPair, _ turn: inout Turn
    ) {
        guard limit.take(for: locators.source, at: turn.now, random: &turn.random) else {
            return turn.count(.answerRate)
        }
        let error = ErrorMessage(
            code: problem.code, offset: problem.offset, message: octets, source: locators.source,
            destination: locators.destination)
        guard let octets = try? ControlMessage.error(error).encoded() else { return }
        turn.send(octets, .error, over: locators.reversed)
    }

    /// An Error belongs to the context of the message that it quotes (section 12.4); anything else is made up.
    func receive(_ view: MessageView, _ turn: inout Turn) throws(Refusal) {
        guard case .error(let error) = try ControlMessage(whole: view) else { return }
        guard let quotation = error.quotation, let association = sender(of: quotation) else {
            throw Refusal(.unmatchedError)
        }
        association.received()
        turn.host.tally.errorsIn[error.code.rawValue, default: 0] &+= 1
        guard quotation.type == .updateRequest else { return }
        association.updateRefused(error.code, of: quotation.nonce, &turn)
    }

    /// The context that a quoted message is of.
    private func sender(of quotation: ErrorMessage.Quotation) -> Association? {
        let locators = LocatorPair(source: quotation.source, destination: quotation.destination)
        switch quotation.type {
        case .updateRequest, .updateAcknowledgement, .keepalive, .probe:
            return registry.table.sending(quotation.tag).first {
                $0.isLocalLocator(locators.source) && $0.isPeerLocator(locators.destination)
            }
        case .i1, .i2, .i2bis:
            let association = registry.negotiating(quotation.nonce, locators.reversed)
            return association?.tag == quotation.tag ? association : nil
        case .r2:
            guard let association = registry.table[quotation.tag], association.isLocalLocator(locators.source)
            else { return nil }
            return association
        case .r1, .r1bis, .error:
            return nil
        }
    }
}

extension Problem {
    /// What keeps octets from being a message; nil where nobody is told.
    init?(_ error: ParseError) {
        switch error.reason {
        case .unknownMessageType: self.init(code: .unknownMessageType, offset: error.offset)
        case .unrecognisedCriticalOption:  // 5533-5.15-13, 5533-12.3-07
            self.init(code: .unrecognisedCriticalOption, offset: error.offset)
        default: return nil
        }
    }

    /// Nil where the sender is told nothing. A Parameter Data Structure of somebody else is dropped silently
    /// (sections 7.13, 7.16 and 10.4); a list that it does not prove is an error in an Update Request (section 10.4),
    /// and everywhere if its method is at fault (section 7.2).
    init?(_ refusal: Refusal, of view: MessageView) {
        let faulty = refusal.faultyEntry
        let list = view.option(.locatorList)
        let preferences = view.option(.locatorPreferences)
        func method(where isAtFault: (UInt8) -> Bool) -> Problem? {
            guard let list, let entries = try? LocatorList(list).locators,
                let index = entries.firstIndex(where: { isAtFault($0.method) }) ?? entries.indices.first
            else { return nil }
            return Problem(
                code: .verificationMethodFailed, offset: list.offset + LocatorList.methodOffset(index))
        }
        let problem: Problem?
        switch refusal.reason {
        case .unsupportedMethod:  // 5533-7.2-08
            problem = method { VerificationMethod(rawValue: $0) == nil }
        case .proof(let error) where faulty != nil:  // 5533-7.2-08
            guard let list, let faulty, view.type == .updateRequest || error == .methodContradictsParameters else {
                return nil
            }
            problem = Problem(
                code: .verificationMethodFailed, offset: list.offset + LocatorList.methodOffset(faulty))
        case .proof(.signature), .signatureMissing, .parametersMissing:
            problem = view.type == .updateRequest ? method { $0 == VerificationMethod.cga.rawValue } : nil
        case .noUsableLocator:
            guard let list, view.type == .updateRequest else { return nil }
            // An empty list has no method to point at: its number of locators is wrong.
            problem =
                method { _ in true }
                ?? Problem(
                    code: .verificationMethodFailed, offset: list.offset + LocatorList.methodOffset(0) - 1)
        case .generationOutOfSync:
            problem = preferences.map { Problem(code: .generationOutOfSync, offset: $0.offset + 4) }
        case .wrongNumberOfLocators:
            problem = preferences.map { Problem(code: .wrongNumberOfLocators, offset: $0.offset + 2) }
        default:
            problem = nil
        }
        guard let problem else { return nil }
        self = problem
    }
}
