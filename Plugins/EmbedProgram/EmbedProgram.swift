import Foundation
import PackagePlugin

/// Compiles the kernel program for the bpf target and emits a Swift source that holds the object file.
@main
struct EmbedProgram: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let sources = context.package.directoryURL.appending(path: "Sources/CDataPath")
        let program = sources.appending(path: "bpf/shim6.bpf.c")
        let script = context.package.directoryURL.appending(path: "Plugins/EmbedProgram/embed.sh")
        let parts = try ["bpf", "include"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(
                at: sources.appending(path: folder), includingPropertiesForKeys: nil)
        }
        let output = context.pluginWorkDirectoryURL.appending(path: "ProgramObject.swift")
        let clang = try context.tool(named: "clang").url
        return [
            .buildCommand(
                displayName: "Compiling the kernel program",
                executable: URL(filePath: "/bin/sh"),
                arguments: [script.path(), clang.path(), program.path(), sources.path(), output.path()],
                inputFiles: parts + [script],
                outputFiles: [output])
        ]
    }
}
