import REAP
import Shim6Wire

/// What an Error message says: which rule a packet broke, and where in it (RFC 5533, section 5.14).
struct Problem {
    var code: ErrorMessage.Code
    /// From the first octet of the Shim6 header on.
    var offset: Int
}

// Error messages (RFC 5533, sections 5.14 and 12.3). They are sent within a rate for each source network, and never
// about an Error, which has neither options nor an unknown type.
extension Host {
    /// Tells what keeps octets from being a message.
    func answer(_ error: ParseError, to octets: [UInt8], _ locators: LocatorPair) {
        let code: ErrorMessage.Code
        switch error.reason {
        case .unknownMessageType: code = .unknownMessageType
        case .unrecognisedCriticalOption: code = .unrecognisedCriticalOption  // 5533-5.15-13, 5533-12.3-07
        default: return
        }
        answer { () throws(DropReason) in
            try sendError(Problem(code: code, offset: error.offset), about: octets, locators)
        }
    }

    /// Sends an Error about a packet, which is quoted with an IPv6 header: the Pointer counts from there. What the
    /// header had besides addresses and length is not known any more.
    func sendError(_ problem: Problem, about octets: [UInt8], _ locators: LocatorPair) throws(DropReason) {
        guard errorLimit.take(for: locators.source, at: now, random: &random) else { throw .answerRate }
        let error = ErrorMessage(
            code: problem.code, offset: problem.offset, message: octets, source: locators.source,
            destination: locators.destination)
        guard let octets = encoded(.error(error)) else { return }
        emit(.send(octets: octets, source: locators.destination, destination: locators.source))
        tally.messagesOut[.error, default: 0] &+= 1
    }

    /// An Error belongs to the context of the message that it quotes (section 12.4); anything else is made up.
    func receiveError(_ view: MessageView) throws(DropReason) {
        guard case .error(let error) = try message(view) else { return }
        guard let quotation = error.quotation, let context = sender(of: quotation) else { throw .unmatchedError }
        context.counters.messagesIn &+= 1
        tally.errorsIn[error.code.rawValue, default: 0] &+= 1
        guard quotation.type == .updateRequest, let update = context.established?.update,
            update.requestNonce == quotation.nonce
        else { return }
        switch error.code {
        case .unknownMessageType, .unrecognisedCriticalOption:
            // The peer cannot be told anything new.
            disarm(context)
            context.established?.update = nil
        case .verificationMethodFailed, .generationOutOfSync, .wrongNumberOfLocators:
            if !update.isWhole { announce(update.list, whole: true, context) }
        default:
            break
        }
    }

    /// The context that a quoted message is of.
    private func sender(of quotation: ErrorMessage.Quotation) -> Context? {
        let locators = LocatorPair(source: quotation.source, destination: quotation.destination)
        switch quotation.type {
        case .updateRequest, .updateAcknowledgement, .keepalive, .probe:
            return table.sending(quotation.tag).first {
                isLocalLocator(locators.source, of: $0) && isPeerLocator(locators.destination, of: $0)
            }
        case .i1, .i2, .i2bis:
            guard let context = table.negotiating(quotation.nonce), context.tag == quotation.tag,
                context.awaitsAnswer(on: locators.reversed)
            else { return nil }
            return context
        case .r2:
            guard let context = table[quotation.tag], isLocalLocator(locators.source, of: context) else { return nil }
            return context
        case .r1, .r1bis, .error:
            return nil
        }
    }
}

extension Problem {
    /// Nil where the sender is told nothing. A Parameter Data Structure of somebody else is dropped silently
    /// (sections 7.13, 7.16 and 10.4); a list that it does not prove is an error in an Update Request (section 10.4), and
    /// everywhere if its method is at fault (section 7.2).
    ///
    /// - Parameter faulty: the entry of the list at which its verification failed.
    init?(_ reason: DropReason, in view: MessageView, faulty: Int?) {
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
        switch reason {
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
