import CLinux
import Glibc
import LemmaBasics
import LemmaHash
import LemmaPipeline
import Synchronization

/// A built-in kind at work in a process of its own, so that its crash is a failure of the stage and the
/// sandbox's rules hold for it too. The request comes as JSON on standard input; progress and the end
/// go back as lines of JSON on descriptor 3.
public enum StageWorker {
  /// The hidden entry of the program.
  public static let entry = "__stage"

  /// What a kind is given, as it travels.
  struct Request: Sendable {
    var kind: String
    var configuration: [String: JSON]
    var inputs: [String: [StageInput]]
    var outputs: [String: String]
    var threads: Int
    var lineage: JSON
    var resume: String?
  }

  /// What comes back.
  enum Reply {
    case progress(Progress)
    case metrics(JSON)
    case failure(Failure)
    case cancelled
  }

  /// Does what the request says.
  static func run(
    _ builtin: any BuiltinStage, _ request: Request, report: @escaping @Sendable (Progress) -> Void,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws -> JSON {
    try builtin.run(
      StageContext(
        configuration: request.configuration, inputs: request.inputs, outputs: request.outputs,
        threads: request.threads, lineage: request.lineage, resume: request.resume, report: report,
        isCancelled: isCancelled))
  }

  // MARK: The worker's own process

  private static let isAskedToEnd = Atomic<Bool>(false)

  /// Reads a request, does it, replies. Always ends with status 0: what went wrong is in the reply.
  public static func main(_ registry: Registry) throws {
    signal(SIGTERM) { _ in StageWorker.isAskedToEnd.store(true, ordering: .relaxed) }
    signal(SIGPIPE, SIG_IGN)
    let request = try Request(json: JSON(parsing: Files.readAll(STDIN_FILENO), file: "request"))
    guard let builtin = registry[request.kind] else {
      throw Failure(.internal, "kind", "the kind '\(request.kind)' has no code")
    }
    let sender = Sender()
    do {
      let metrics = try run(
        builtin, request, report: { sender.report($0) }, isCancelled: { isAskedToEnd.load(ordering: .relaxed) })
      sender.send(.metrics(metrics))
    } catch is Cancelled {
      sender.send(.cancelled)
    } catch let failure as Failure {
      sender.send(.failure(failure))
    } catch is CancellationError {
      sender.send(.cancelled)
    } catch {
      sender.send(.failure(Failure(.internal, "error", "\(error)")))
    }
  }

  /// Sends replies, progress no oftener than people can read it.
  private final class Sender: Sendable {
    private static let interval = 0.05
    private let last = Mutex(0.0)

    func report(_ progress: Progress) {
      last.withLock { last in
        let moment = Clock.monotonic()
        guard moment - last >= Sender.interval || progress.done == progress.total else { return }
        last = moment
        write(.progress(progress))
      }
    }

    func send(_ reply: Reply) { last.withLock { _ in write(reply) } }

    private func write(_ reply: Reply) {
      // Nobody to listen: the run has ended, and this process is about to.
      try? Files.writeAll(Array((reply.json.canonical + "\n").utf8), to: 3, path: "reply")
    }
  }
}

// MARK: JSON

extension StageWorker.Request {
  var json: JSON {
    [
      "kind": .string(kind), "with": .object(configuration), "threads": JSON(threads), "lineage": lineage,
      "resume": resume.map(JSON.string) ?? .null, "outputs": .object(outputs.mapValues(JSON.string)),
      "inputs": .object(
        inputs.mapValues { members in
          .array(
            members.map {
              ["label": .string($0.label), "path": .string($0.path), "artifact": $0.artifact.json]
            })
        }),
    ]
  }

  init(json: JSON) throws {
    guard let kind = json["kind"]?.string, let configuration = json["with"]?.object,
      let threads = json["threads"]?.int, let outputs = json["outputs"]?.object, let inputs = json["inputs"]?.object
    else { throw Failure(.internal, "request", "this is no request to a worker") }
    self.kind = kind
    self.configuration = configuration
    self.threads = threads
    self.outputs = outputs.compactMapValues(\.string)
    self.inputs = try inputs.mapValues { members in
      try (members.array ?? []).map { member in
        guard let label = member["label"]?.string, let path = member["path"]?.string,
          let artifact = Artifact(json: member["artifact"])
        else { throw Failure(.internal, "request", "an input of a request to a worker is none") }
        return StageInput(label: label, path: path, artifact: artifact)
      }
    }
    lineage = json["lineage"] ?? .null
    resume = json["resume"]?.string
  }
}

extension StageWorker.Reply {
  var json: JSON {
    switch self {
    case .progress(let progress):
      [
        "progress": [
          "unit": .string(progress.unit), "done": JSON(progress.done), "total": JSON(progress.total),
          "detail": .string(progress.detail),
        ]
      ]
    case .metrics(let metrics): ["metrics": metrics]
    case .failure(let failure): ["failure": failure.json]
    case .cancelled: ["cancelled": true]
    }
  }

  /// nil for a line that no worker wrote.
  init?(line: ArraySlice<UInt8>) {
    guard let json = try? JSON(parsing: line, file: "reply") else { return nil }
    if let progress = json["progress"], let done = progress["done"]?.int, let total = progress["total"]?.int {
      self = .progress(
        Progress(
          unit: progress["unit"]?.string ?? "", done: done, total: total, detail: progress["detail"]?.string ?? ""))
    } else if let metrics = json["metrics"] {
      self = .metrics(metrics)
    } else if let failure = Failure(json: json["failure"]) {
      self = .failure(failure)
    } else if json["cancelled"] == true {
      self = .cancelled
    } else {
      return nil
    }
  }
}

extension Failure {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "kind": .string(kind.rawValue), "code": .string(code), "message": .string(message),
    ]
    if let hint { members["hint"] = .string(hint) }
    if let position {
      members["file"] = .string(position.file)
      if let line = position.line { members["line"] = JSON(line) }
      if let column = position.column { members["column"] = JSON(column) }
    }
    return .object(members)
  }

  fileprivate init?(json: JSON?) {
    guard let kind = json?["kind"]?.string.flatMap({ Kind(rawValue: $0) }), let code = json?["code"]?.string,
      let message = json?["message"]?.string
    else { return nil }
    let position = json?["file"]?.string.map {
      Position(file: $0, line: json?["line"]?.int, column: json?["column"]?.int)
    }
    self.init(kind, code, message, at: position, hint: json?["hint"]?.string)
  }
}
