import LemmaBasics
import LemmaHash

/// The rows about actions and workspaces: what was computed, what came last, who uses the store.
extension Index {
  // MARK: Action results

  /// The result recorded under an action key, if its document is the very same (by seal, so that
  /// two documents with one XXH3-128 are two actions). A row that cannot be read is as good as none.
  public func result(key: Digest, documentSeal: Seal) throws -> JSON? {
    try locked { database in
      try database.query(
        "SELECT result FROM results WHERE key = ? AND document_seal = ?", [.text(key.hex), .text(documentSeal.hex)]
      ) { try? JSON(parsing: $0.text(0).utf8, file: "result of action \(key.hex)") }.first ?? nil
    }
  }

  /// Every result that is recorded, in the order of the keys; nil for a row that cannot be read.
  public func results() throws -> [(key: String, result: JSON?)] {
    try locked { database in
      try database.query("SELECT key, result FROM results ORDER BY key") { row in
        (row.text(0), try? JSON(parsing: row.text(1).utf8, file: "result of action \(row.text(0))"))
      }
    }
  }

  /// Forgets the results of some action keys.
  public func forget(results keys: [String]) throws {
    guard !keys.isEmpty else { return }
    try update { database in
      for key in keys { try database.run("DELETE FROM results WHERE key = ?", [.text(key)]) }
    }
  }

  // MARK: What came last

  /// The last action document of every stage of every pipeline, with its workspace.
  public func lastDocuments() throws -> [(workspace: String, document: Identity)] {
    try locked { database in
      try database.query("SELECT workspace, document FROM last_actions") { row in
        (row.text(0), Artifact(json: try? JSON(parsing: row.text(1).utf8, file: "last documents"))?.identity)
      }
    }.compactMap { workspace, document in document.map { (workspace, $0) } }
  }

  /// The identity of the action document that a stage of a pipeline last had in a workspace.
  public func lastDocument(workspace: String, pipeline: String, stage: String) throws -> Identity? {
    try locked { database in
      try database.query(
        "SELECT document FROM last_actions WHERE workspace = ? AND pipeline = ? AND stage = ?",
        [.text(workspace), .text(pipeline), .text(stage)]
      ) { Artifact(json: try? JSON(parsing: $0.text(0).utf8, file: "last document of stage \(stage)"))?.identity }
      .first ?? nil
    }
  }

  public func record(
    lastDocuments: [(stage: String, document: Identity)], workspace: String, pipeline: String
  ) throws {
    guard !lastDocuments.isEmpty else { return }
    try update { database in
      for (stage, document) in lastDocuments {
        try database.run(
          "INSERT OR REPLACE INTO last_actions VALUES (?, ?, ?, ?)",
          [
            .text(workspace), .text(pipeline), .text(stage),
            .text(Artifact(kind: .file, identity: document).json.canonical),
          ])
      }
    }
  }

  /// Whether an output was put at this path of a workspace before.
  public func isPlace(_ path: String, workspace: String) throws -> Bool {
    try locked { database in
      try database.query(
        "SELECT 1 FROM places WHERE workspace = ? AND path = ?", [.text(workspace), .text(path)]
      ) { _ in true }.first ?? false
    }
  }

  public func record(places: [String], workspace: String) throws {
    guard !places.isEmpty else { return }
    try update { database in
      for path in places {
        try database.run("INSERT OR IGNORE INTO places VALUES (?, ?)", [.text(workspace), .text(path)])
      }
    }
  }

  /// The newest run commit that this store saw in a ledger: a ledger that does not contain it was
  /// rolled back.
  public func head(ofLedger ledger: String) throws -> String? {
    try locked { database in
      try database.query("SELECT head FROM ledger_heads WHERE ledger = ?", [.text(ledger)]) { $0.text(0) }.first
    }
  }

  public func record(head: String, ofLedger ledger: String) throws {
    try update { try $0.run("INSERT OR REPLACE INTO ledger_heads VALUES (?, ?)", [.text(ledger), .text(head)]) }
  }

  // MARK: Who uses the store

  /// The folders of the workspaces that were registered, sorted. A collection needs the roots of all.
  public func workspaces() throws -> [String] {
    try locked { try $0.query("SELECT path FROM workspaces ORDER BY path") { $0.text(0) } }
  }

  /// Registers a workspace by the absolute path of its folder. Costs a read when it is known already.
  public func register(workspace path: String) throws {
    if try workspaces().contains(path) { return }
    try update { try $0.run("INSERT OR IGNORE INTO workspaces VALUES (?)", [.text(path)]) }
  }

  /// Forgets a workspace that is gone, and what came last in it.
  public func forget(workspace path: String) throws {
    try update { database in
      try database.run("DELETE FROM workspaces WHERE path = ?", [.text(path)])
      try database.run("DELETE FROM last_actions WHERE workspace = ?", [.text(path)])
      try database.run("DELETE FROM places WHERE workspace = ?", [.text(path)])
    }
  }
}
