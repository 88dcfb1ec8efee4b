/// What a model answered to one prompt.
public struct Completion: Hashable, Sendable {
  public enum Finish: String, Sendable {
    /// The model ended its answer.
    case endOfText = "end-of-text"
    /// The answer reached the number of tokens allowed.
    case length
    /// Prompt and answer filled the model's context; a prompt that does not fit alone gets an empty answer.
    case contextFull = "context-full"
    /// The model's numbers are not finite, so there is no best token.
    case notFinite = "not-finite"
  }

  /// The answer, without prompt and end of text.
  public var text: String
  public var tokens: [Int32]
  public var finish: Finish
}

/// How far a decoding is.
public struct DecodingProgress: Sendable {
  /// Prompts answered, of `prompts`.
  public var finished: Int
  public var prompts: Int
  /// Tokens generated so far.
  public var tokens: Int
}
