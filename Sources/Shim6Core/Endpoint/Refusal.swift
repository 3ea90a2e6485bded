/// Why a message is refused.
struct Refusal: Error {
    let reason: DropReason
    /// The entry of its Locator List at which the verification failed.
    let faultyEntry: Int?

    init(_ reason: DropReason, faultyEntry: Int? = nil) {
        self.reason = reason
        self.faultyEntry = faultyEntry
    }
}
