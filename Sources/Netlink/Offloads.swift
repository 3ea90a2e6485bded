import CNetlink

/// The offloads of a network device by which packets larger than its MTU reach it.
public enum Offloads {
    /// Turns off every feature that lets such a packet leave the stack whole. Throws EOPNOTSUPP if one stays on.
    public static func turnOffSegmentation(device: String) throws(KernelError) {
        try checked(cnl_segmentation_off(device), "turn off segmentation on \(device)")
    }

    /// Lets the kernel merge packets that it receives there (generic receive offload).
    public static func turnOnMerging(device: String) throws(KernelError) {
        try checked(cnl_merging_on(device), "turn on receive offload on \(device)")
    }

    /// Whether one of them is on.
    public static func hasSegmentation(device: String) throws(KernelError) -> Bool {
        try checked(cnl_segmentation_count(device), "read the features of \(device)") > 0
    }

    /// Names of the features that are on, as the kernel has them.
    public static func active(device: String) throws(KernelError) -> Set<String> {
        var names: Set<String> = []
        let result = withUnsafeMutablePointer(to: &names) { context in
            cnl_features(
                device,
                { context, name, active in
                    guard active, let name else { return }
                    context?.assumingMemoryBound(to: Set<String>.self).pointee.insert(String(cString: name))
                }, context)
        }
        try checked(result, "read the features of \(device)")
        return names
    }
}
