/// A trained decoder with its tokenizer. It does not change: training makes a new one.
public final class Model: Sendable {
  public let configuration: ModelConfiguration
  public let tokenizer: Tokenizer
  let parameters: Parameters

  init(configuration: ModelConfiguration, tokenizer: Tokenizer, parameters: Parameters) {
    self.configuration = configuration
    self.tokenizer = tokenizer
    self.parameters = parameters
  }

  /// A model with new weights, which are a function of the seed and the shape. The configuration's vocabulary
  /// becomes the tokenizer's.
  public convenience init(configuration: ModelConfiguration, tokenizer: Tokenizer, seed: UInt64) throws {
    var configuration = configuration
    configuration.vocabularySize = tokenizer.vocabularySize
    try configuration.validate()
    self.init(
      configuration: configuration, tokenizer: tokenizer, parameters: try Parameters(configuration, seed: seed))
  }
}
