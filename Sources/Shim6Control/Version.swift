/// The version of the daemon and of shim6ctl, which are made together.
public enum Version {
    public static let text = "0.1.0"
}
