import CGit2
import LemmaBasics

extension Ledger {
  /// The paths that two runs' trees do not have alike, sorted. Costs what differs, not what there is.
  public func changedFiles(from: String, to: String) throws -> [String] {
    let (old, new) = (try treeHandle(from), try treeHandle(to))
    let difference = try old.use { old in
      try new.use { new in
        try make("compare run \(from) with run \(to)", free: git_diff_free) {
          git_diff_tree_to_tree($0, $1, old, new, nil)
        }
      }
    }
    return difference.use { difference in
      (0..<git_diff_num_deltas(difference)).compactMap { number in
        guard let delta = git_diff_get_delta(difference, number) else { return nil }
        return (delta.pointee.new_file.path ?? delta.pointee.old_file.path).map { String(cString: $0) }
      }
    }.sorted()
  }
}
