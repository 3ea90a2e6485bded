import Shim6Control
import Shim6Core
import Shim6Wire

// What is told to people and programs.
extension Engine {
    /// Logs once that payload of a context stays with its ULIDs.
    func tellObstacle(of entry: DataPathEntry) {
        guard entry.peerTag != nil, entry.form == nil, dataPath.traits.obstacle == nil else {
            obstructed.remove(entry.localTag)
            return
        }
        guard obstructed.insert(entry.localTag).inserted, let forms = host.snapshot(of: entry.localTag)?.unsuitableForms
        else { return }
        contextLog.notice("never rehomed: \(PayloadForms.obstacle(forms))", metadata: ["tag": "\(entry.localTag)"])
    }

    func publish(_ notice: Notice) {
        timeline.record(notice, outgoing: notice.tag.flatMap(dataPath.outgoing(of:)))
        if case .state(_, .established, _) = notice.kind, let ulids = notice.ulids,
            let context = notice.tag.flatMap(host.snapshot(of:)), context.outgoing?.source == ulids.local
        {
            hasAnswered(ulids.peer, to: ulids.local)
        }
        answerSwitch(notice)
        let record = EventRecord(notice)
        interfaces.broadcast(record)
        EventLine.log(record, to: record.tag == nil ? log : contextLog)
    }
}
