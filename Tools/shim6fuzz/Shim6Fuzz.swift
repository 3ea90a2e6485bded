import ArgumentParser
import Fuzzing
import Glibc

@main
struct Shim6Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6fuzz",
        abstract: "Hands inputs that are made of samples by chance to whatever reads what others have written.",
        discussion: "A find ends the program; the input is in the file then.")

    @Argument(help: "\(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")).") var target: FuzzTarget
    @Option(help: "Inputs.") var runs = 1_000_000
    @Option(help: "The same seed makes the same inputs.") var seed: UInt64 = 1
    @Option(help: "Where the input of now is kept.") var file: String

    func run() throws {
        let room = 1 << 16
        let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0, ftruncate(descriptor, off_t(room)) == 0,
            let memory = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw ValidationError("\(file): \(String(cString: strerror(errno)))") }
        let kept = UnsafeMutableRawBufferPointer(start: memory, count: room)
        target.run(runs, seed: seed) { input in
            // The length, and the input. It stays when the process is gone.
            kept.storeBytes(of: UInt32(input.count), as: UInt32.self)
            kept[4...].copyBytes(from: input.prefix(room - 4))
        }
        unlink(file)
        print("\(target.rawValue): \(runs) inputs of seed \(seed), nothing found")
    }
}

extension FuzzTarget: ExpressibleByArgument {}
