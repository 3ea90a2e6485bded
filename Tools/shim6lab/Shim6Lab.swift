import ArgumentParser
import Lab

@main
struct Shim6Lab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6lab",
        abstract: "Hosts, failures and traffic on this machine, to see and to test shim6d at work.",
        subcommands: [
            Demo.self, Failover.self, XFRM.self, GapTrials.self, ResumeTrials.self, FloodTrials.self,
            ReportTrials.self,
            FailoverBench.self, Crowd.self, Soak.self, EchoServer.self, EchoClient.self, MeshServer.self,
            MeshClient.self, StreamServer.self, StreamClient.self, SenderWatch.self, BulkServer.self, Datagrams.self,
            Bursts.self, Inject.self,
        ])
}
