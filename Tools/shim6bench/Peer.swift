import CGA
import Shim6Wire

/// A peer with four CGAs and their signature, as the responder sees it.
struct Peer {
    let ulid: IPv6Address
    let parameters: [UInt8]
    let list: LocatorList
    let signature: [UInt8]

    /// Peer `number` of those that have the key.
    init(_ number: Int, _ keys: KeyedAddresses) throws {
        let identities = try keys.host(number, locators: Responder.locators)
        let addresses = identities.map(\.address)
        ulid = addresses[0]
        parameters = identities[0].parameters.octets
        list = LocatorList(
            generation: UInt32(number), locators: addresses.map { LocatorList.Entry(locator: $0, method: .cga) })
        signature = try identities[0].sign(generation: list.generation, locators: addresses)
    }

    /// An I2 that the responder takes, made with its R1.
    func i2(to responder: Responder) throws -> [UInt8] {
        var random = CryptographicRandom()
        let tag = ContextTag(truncating: random.next())
        let nonce = UInt32(truncatingIfNeeded: random.next())
        let i1 = try ControlMessage.i1(I1(initiatorTag: tag, initiatorNonce: nonce)).encoded()
        guard let r1 = responder.answer(i1, from: ulid) else { throw Failure(description: "there is no R1") }
        let view = try MessageView(r1)
        guard let responderNonce = view.responderNonce, let validator = view.responderValidator else {
            throw Failure(description: "the R1 has no validator")
        }
        let i2 = I2(
            initiatorTag: tag, initiatorNonce: nonce, responderNonce: responderNonce,
            responderValidator: Array(validator),
            options: LocatorOptions(locatorList: list, cgaParameters: parameters, cgaSignature: signature))
        return try ControlMessage.i2(i2).encoded()
    }
}
