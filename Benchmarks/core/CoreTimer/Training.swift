import LemmaBasics
import LemmaModel

/// Trains a new model for some steps on random letters: every step has `batch` whole sequences of `context` tokens,
/// and the loss is on all of them. The trained model goes into a folder where one is given.
func timeTraining(_ arguments: [String]) throws {
  guard (5...6).contains(arguments.count), let shape = shapes[arguments[1]] else {
    throw Failure(.user, "usage", usage)
  }
  var configuration = TrainingConfiguration()
  configuration.batchSize = shape.batch
  configuration.contextLength = shape.context
  configuration.duration = .steps(try number(arguments[4]))
  configuration.learningRate = 1e-4
  configuration.precision = try precision(arguments[2])
  let examples = (0..<4 * shape.batch).map { Example(prompt: "", response: letters(shape.context, $0 + 1)) }
  var seconds: [Double] = []
  let trainer = try Trainer(
    model: try newModel(shape), configuration: configuration, threads: try number(arguments[3]), takesOver: true)
  var need = 0
  let result = try trainer.run(
    examples: examples, announce: { need = $0.total },
    progress: { seconds.append(Double($0.record.tokens) / $0.tokensPerSecond) })
  if arguments.count == 6 { try Checkpoint.save(result.model, to: arguments[5]) }
  print(
    JSON.object([
      "parameters": JSON(shape.model.parameterCount), "tokens": .array(result.history.map { JSON($0.tokens) }),
      "seconds": .array(seconds.map { JSON($0) }), "loss": JSON(result.history.last?.loss ?? 0),
      "peak_mib": JSON(try peakMemory()), "need_mib": JSON(need >> 20),
    ]).canonical)
}
