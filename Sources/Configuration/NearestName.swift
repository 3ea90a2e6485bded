/// The known name that differs least from `name`, if it is near enough to be a slip: at most a third of it, and two letters always.
func nearestName(to name: String, among known: [String]) -> String? {
    let distances = known.map { ($0, editDistance($0, name)) }
    guard let (nearest, distance) = distances.min(by: { $0.1 < $1.1 }), distance <= max(2, name.count / 3) else {
        return nil
    }
    return nearest
}

/// How many letters have to be inserted, removed, replaced or swapped with their neighbour to turn one into the other.
private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.lowercased()), Array(right.lowercased().prefix(100)))
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, letter) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var best = min(previous[column + 1], current[column]) + 1
            best = min(best, previous[column] + (letter == other ? 0 : 1))
            if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                best = min(best, beforePrevious[column - 1] + 1)
            }
            current.append(best)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
