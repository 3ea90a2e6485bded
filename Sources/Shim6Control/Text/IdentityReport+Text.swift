extension IdentityReport {
    func text(style: TextStyle) -> String {
        var text = "key        RSA \(keyBits), \(keyFile)\(broughtAlong ? ", brought along" : "")\n"
        if making { text += "making     addresses\n" }
        for prefix in exhausted { text += "warning: others have taken three addresses in \(prefix)\n" }
        guard !addresses.isEmpty else { return text + "\nno address\n" }
        var table = TextTable("ADDRESS", "INTERFACE", "METHOD", "SEC", "COLLISIONS", "STATE", "ULID OF")
        for address in addresses {
            table.add(
                address.address.description, address.interface ?? "-", address.method,
                String(address.securityParameter), String(address.collisionCount), address.old ? "old" : "current",
                String(address.ulidOf))
        }
        return text + "\n" + table.text(style: style)
    }
}
