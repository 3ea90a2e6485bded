import Locators
import REAP
import Shim6Wire

/// What an I1 and the I2 that follows it have in common; the responder keeps none of it in between.
///
/// The Initiator Nonce is not part of it: section 7.11 lets the I2 have another one.
struct Offer: Hashable {
    var initiatorTag: ContextTag
    /// From the responder's point of view.
    var ulids: ULIDPair
    /// The addresses of the initiator's packet.
    var locators: LocatorPair
    var forkedInstance: UInt32

    var key: ContextKey { ContextKey(ulids: ulids, forkedInstance: forkedInstance) }
}

extension Offer {
    /// That of an I1, I2 or I2bis.
    init(_ view: MessageView, _ locators: LocatorPair) throws(Refusal) {
        guard let tag = view.contextTag else { throw Refusal(.unexpectedInState) }
        self.init(
            initiatorTag: tag, ulids: ULIDPair(local: locators.destination, peer: locators.source),
            locators: locators, forkedInstance: 0)
        do {
            if let option = view.option(.ulidPair) {
                let pair = try ULIDPairOption(option)
                ulids = ULIDPair(local: pair.receiver, peer: pair.sender)
            }
            forkedInstance = try view.option(.forkedInstance)?.forkedInstance() ?? 0
        } catch {
            throw Refusal(.parse(error.reason))
        }
        guard ulids.areUsable else { throw Refusal(.ulidNotUsable) }
    }
}

/// What I2 and I2bis have in common, once their validators are found genuine.
struct Introduction {
    /// The state reason that a context has which it makes.
    var reason: StateReason
    var key: ContextKey
    /// The addresses of the packet.
    var locators: LocatorPair
    var tag: ContextTag
    var nonce: UInt32
    var options: LocatorOptions
    /// Octets of the message.
    var length: Int

    var id: Answering.ID { Answering.ID(tag: tag, nonce: nonce) }
}

extension ULIDPair {
    var areUsable: Bool { local.canBeLocator && peer.canBeLocator && local != peer }
}

extension ControlMessage {
    /// All of a message, options included.
    init(whole view: MessageView) throws(Refusal) {
        do {
            self = try ControlMessage(view)
        } catch {
            throw Refusal(.parse(error.reason))
        }
    }
}
