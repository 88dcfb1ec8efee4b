import LemmaBasics

/// A trained decoder with its tokenizer. It does not change: training makes a new one.
public final class Model: Sendable {
  public let configuration: ModelConfiguration
  public let tokenizer: Tokenizer
  let conventions: TextConventions
  let parameters: Parameters

  /// - Parameter conventions: nil stands for those of a tokenizer that comes without any.
  init(
    configuration: ModelConfiguration, tokenizer: Tokenizer, conventions: TextConventions? = nil,
    parameters: Parameters
  ) {
    self.configuration = configuration
    self.tokenizer = tokenizer
    self.conventions = conventions ?? TextConventions(tokenizer)
    self.parameters = parameters
  }

  /// A model with new weights, which are a function of the seed and the shape.
  /// - Throws: `Failure` for a shape that no model can have, or a vocabulary smaller than the tokenizer's.
  public convenience init(configuration: ModelConfiguration, tokenizer: Tokenizer, seed: UInt64) throws {
    try configuration.validate()
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw Failure(
        .user, "model-shape",
        "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(configuration.vocabularySize)")
    }
    self.init(
      configuration: configuration, tokenizer: tokenizer, parameters: try Parameters(configuration, seed: seed))
  }
}
