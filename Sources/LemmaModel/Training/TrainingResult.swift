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

extension StepRecord {
  init?(json: JSON) {
    guard let step = json["step"]?.int, let loss = json["loss"]?.double, let rate = json["learning_rate"]?.double,
      let norm = json["gradient_norm"]?.double, let tokens = json["tokens"]?.int
    else { return nil }
    self.init(step: step, loss: loss, learningRate: rate, gradientNorm: norm, tokens: tokens)
  }
}

/// One look at examples that are not trained on.
public struct EvaluationRecord: Hashable, Sendable {
  /// Steps done by then.
  public var step: Int
  /// The mean cross-entropy, in nats, over the tokens of the held-out responses.
  public var loss: Double

  /// The record as one line of a JSONL file.
  public var json: JSON { ["step": JSON(step), "held_out_loss": JSON(loss)] }
}

extension EvaluationRecord {
  init?(json: JSON) {
    guard let step = json["step"]?.int, let loss = json["held_out_loss"]?.double else { return nil }
    self.init(step: step, loss: loss)
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
  public var evaluations: [EvaluationRecord]
  /// The step whose weights the model has; before the last one where training stopped early.
  public var step: Int
  /// Examples trained on.
  public var examples: Int
  /// Examples left out because they are longer than the context.
  public var tooLong: Int
  /// Examples left out because they hold nothing to predict: no prompt and no response.
  public var empty: Int
  /// Tokens seen in all steps.
  public var tokens: Int { history.reduce(0) { $0 + $1.tokens } }
}
