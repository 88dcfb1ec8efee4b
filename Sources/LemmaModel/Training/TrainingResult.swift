import LemmaBasics

/// A question and the answer that the model should give.
public struct Example: Hashable, Sendable {
  public var prompt: String
  public var response: String

  public init(prompt: String, response: String) {
    self.prompt = prompt
    self.response = response
  }
}

/// One optimiser step as it is kept: nothing in it depends on the clock.
public struct StepRecord: Hashable, Sendable {
  /// From 1.
  public var step: Int
  /// The mean cross-entropy, in nats, over the tokens of the step's responses.
  public var loss: Double
  public var learningRate: Double
  /// The L2 norm of all gradients, before clipping.
  public var gradientNorm: Double
  /// Tokens seen in the step, those of prompts included.
  public var tokens: Int

  /// The record as one line of a JSONL file.
  public var json: JSON {
    [
      "step": JSON(step), "loss": JSON(loss), "learning_rate": JSON(learningRate),
      "gradient_norm": JSON(gradientNorm), "tokens": JSON(tokens),
    ]
  }
}

/// How far a training is, told after each step.
public struct TrainingProgress: Sendable {
  public var record: StepRecord
  public var steps: Int
  /// Of this step alone, by the clock.
  public var tokensPerSecond: Double
}

/// What a training gives.
public struct TrainingResult: Sendable {
  public var model: Model
  public var history: [StepRecord]
  /// Examples trained on.
  public var examples: Int
  /// Examples left out because they are longer than the context.
  public var tooLong: Int
  /// Examples left out because they hold nothing to predict: no prompt and no response.
  public var empty: Int
  /// Tokens seen in all steps.
  public var tokens: Int { history.reduce(0) { $0 + $1.tokens } }
}
