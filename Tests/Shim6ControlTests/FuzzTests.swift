import Fuzzing
import Testing

/// Whatever reads what others have written, with a hundred thousand inputs each. `Scripts/fuzz.sh` takes more.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func `No input makes a reader trap or leaves its refusal without a line`(target: FuzzTarget) {
        target.run(100_000, seed: 6140)
    }
}
