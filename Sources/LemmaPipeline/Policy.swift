import LemmaBasics

extension Stage {
  /// How a stage is run and what is expected of it. None of it says what the stage makes, so none of
  /// it but `hasNetwork` is part of an action: another policy reruns nothing.
  public struct Policy: Sendable, Hashable {
    public var sandbox: SandboxMode
    /// Whether it may reach the network. What comes from there is an input that nobody declared, so
    /// an action that may is another action.
    public var hasNetwork: Bool
    /// As declared; nil leaves it to the kind.
    public var determinism: Determinism?
    /// In declaration order.
    public var expectations: [Expectation]
    /// Whether it keeps a scratch folder from one attempt to the next, so that a killed one is not lost.
    public var resumes: Bool
    /// How many more attempts follow a failed one.
    public var retries: Int
    /// The longest that one attempt may take, in seconds.
    public var timeout: Int?

    public init(
      sandbox: SandboxMode = .auto, hasNetwork: Bool = false, determinism: Determinism? = nil,
      expectations: [Expectation] = [], resumes: Bool = false, retries: Int = 0, timeout: Int? = nil
    ) {
      self.sandbox = sandbox
      self.hasNetwork = hasNetwork
      self.determinism = determinism
      self.expectations = expectations
      self.resumes = resumes
      self.retries = retries
      self.timeout = timeout
    }
  }
}

/// What keeps a stage to its declared inputs.
public enum SandboxMode: String, Sendable, CaseIterable {
  /// The strictest that works on this machine.
  case auto
  /// A file system of its own that holds nothing else, through bubblewrap.
  case strict
  /// The machine's file system with all else closed, through Landlock.
  case landlock
  case off
}

/// What a second execution gives.
public enum Determinism: String, Sendable, CaseIterable {
  /// The same bits.
  case bitwise
  /// Other bits, numbers that agree within their spread.
  case statistical
  /// A sample from the outside world, such as a model's answer: asked once, kept.
  case sampled
}

/// What must hold of an output for its stage to count as done.
public struct Expectation: Sendable, Hashable {
  /// The output's name.
  public var output: String
  /// Rows of a table, or lines of any other text.
  public var rows: ClosedRange<Int>?
  /// Bytes of a file, or of all files of a folder.
  public var bytes: ClosedRange<Int>?
  /// Columns that a table has, or keys that every row has.
  public var columns: [String]
  public var position: Position

  public init(
    output: String, rows: ClosedRange<Int>? = nil, bytes: ClosedRange<Int>? = nil, columns: [String] = [],
    position: Position
  ) {
    self.output = output
    self.rows = rows
    self.bytes = bytes
    self.columns = columns
    self.position = position
  }
}
