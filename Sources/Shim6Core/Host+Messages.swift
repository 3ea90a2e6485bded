import REAP
import Shim6Wire

// Messages in and out: the checks of RFC 5533 section 12.3 and the dispatch of section 12.4.
extension Host {
    func receive(_ octets: [UInt8], from source: IPv6Address, to destination: IPv6Address) {
        faultyEntry = nil
        let locators = LocatorPair(source: source, destination: destination)
        let view: MessageView
        do {
            try MessageView.checkAddresses(source: source, destination: destination)
            view = try MessageView(octets)
        } catch {
            count(.parse(error.reason))
            answer(error, to: octets, locators)
            return
        }
        do throws(DropReason) {
            try dispatch(view, locators)
        } catch {
            count(error)
            answer(error, to: view, locators)
        }
    }

    /// What the sender of a message that was refused is told. Most of it it has to find out (RFC 5533, section 12.4).
    private func answer(_ reason: DropReason, to view: MessageView, _ locators: LocatorPair) {
        switch reason {
        case .unknownTag, .locatorsOutsideSets:
            guard view.type.elicitsR1bis, let tag = view.contextTag else { return }
            answer { () throws(DropReason) in try sendR1bis(tag, over: locators.reversed) }
        default:
            guard let problem = Problem(reason, in: view, faulty: faultyEntry) else { return }
            answer { () throws(DropReason) in try sendError(problem, about: view.octets, locators) }
        }
    }

    /// Sends an answer to something that was dropped, and counts what keeps it from being sent.
    func answer(_ send: () throws(DropReason) -> Void) {
        do throws(DropReason) {
            try send()
        } catch {
            count(error)
        }
    }

    private func dispatch(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        // Whatever says so is reflected or forged, and an answer would come back here.
        guard !lists.contains(locators.source) else { throw .ownAddress }
        tally.messagesIn[view.type, default: 0] &+= 1
        switch view.type {
        case .i1: try receiveI1(view, locators)
        case .r1: try receiveR1(view, locators)
        case .i2: try receiveI2(view, locators)
        case .r2: try receiveR2(view, locators)
        case .updateRequest: try receiveUpdateRequest(view, locators)
        case .updateAcknowledgement: try receiveUpdateAcknowledgement(view, locators)
        case .keepalive, .probe: try receiveReachability(view, locators)
        case .r1bis: try receiveR1bis(view, locators)
        case .i2bis: try receiveI2bis(view, locators)
        case .error: try receiveError(view)
        }
    }

    /// All of a message, options included.
    func message(_ view: MessageView) throws(DropReason) -> ControlMessage {
        do {
            return try ControlMessage(view)
        } catch {
            throw .parse(error.reason)
        }
    }

    /// The context with the Receiver Context Tag of an Update, Keepalive or Probe. The packet's addresses have to be
    /// locators of it, since tags are reused (section 12.4).
    func tagged(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) -> Context {
        guard let tag = view.contextTag, let context = table[tag] else { throw .unknownTag }
        switch context.state {
        case .eFailed, .noSupport: throw .unknownTag
        case .i1Sent, .i2Sent, .established, .i2bisSent: break
        }
        // Before the peer has introduced itself its locators are not known; what the state says is answer enough.
        let isFromPeer = context.peerTag == nil || isPeerLocator(locators.source, of: context)
        guard isFromPeer, isLocalLocator(locators.destination, of: context) else { throw .locatorsOutsideSets }
        context.counters.messagesIn &+= 1
        context.kept?.reach.received(view.length)
        return context
    }

    /// Whether an address belongs to Ls(peer). The ULID does, also while it is withdrawn as a locator.
    func isPeerLocator(_ address: IPv6Address, of context: Context) -> Bool {
        address == context.ulids.peer || context.peer?.hasLocator(address) == true
    }

    /// Whether an address belongs to Ls(local), as the peer knows it or may know it already.
    func isLocalLocator(_ address: IPv6Address, of context: Context) -> Bool {
        address == context.ulids.local || context.announced.contains(address)
            || context.established?.update?.list.contains(address) == true
    }

    /// Sends a message of a context.
    func send(_ message: ControlMessage, over locators: LocatorPair, of context: Context) {
        guard let octets = encoded(message) else { return }
        transmit(octets, message.type, over: locators, of: context)
    }

    func transmit(_ octets: [UInt8], _ type: MessageType, over locators: LocatorPair, of context: Context) {
        emit(.send(octets: octets, source: locators.source, destination: locators.destination))
        tally.messagesOut[type, default: 0] &+= 1
        context.counters.messagesOut &+= 1
        if type != .keepalive && type != .probe { reachability(context, .otherMessageSent) }
    }

    /// The octets of a message; nil if they would be too many.
    func encoded(_ message: ControlMessage) -> [UInt8]? { try? message.encoded() }

    /// The options, with what this implementation adds: the forms of rehomed payload that this host accepts, and its Send
    /// Timeout if seconds do not say it.
    func with(_ options: LocatorOptions) -> LocatorOptions {
        var options = options
        if configuration.acceptedForms != .payloadHeader { options.payloadForms = configuration.acceptedForms }
        options.reachabilityTiming = announcedTiming
        return options
    }

    /// What an I2 or R2 of this context says about the host.
    func locatorOptions(of context: Context) -> LocatorOptions {
        with(context.announced.options(keepaliveTimeout: announcedKeepaliveTimeout))
    }
}
