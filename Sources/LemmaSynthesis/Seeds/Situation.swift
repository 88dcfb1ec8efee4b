/// One kind of story: a stock of things that grows, shrinks, and at the end is shared out or
/// multiplied. The texts are templates; `StoryTemplate` says what their braces mean.
struct Situation: Sendable {
  /// How a story can end in another quantity.
  struct Ending: Sendable {
    var clause: String
    /// What the result counts, in the plural.
    var unit: String
    var question: String

    init(_ clause: String, _ unit: String, _ question: String) {
      self.clause = clause
      self.unit = unit
      self.question = question
    }
  }

  var name: String
  /// What is counted, in the plural.
  var unit: String
  /// Asks for the stock.
  var question: String
  /// Openings that give the stock.
  var given: [String]
  /// Openings that give it as a number of equal groups.
  var groups: [String]
  var gains: [String]
  var losses: [String]
  /// Multiplies the stock.
  var times: Ending
  /// Divides the stock into equal parts.
  var share: Ending

  init(
    _ name: String, _ unit: String, _ question: String, given: [String], groups: [String], gains: [String],
    losses: [String], times: Ending, share: Ending
  ) {
    self.name = name
    self.unit = unit
    self.question = question
    self.given = given
    self.groups = groups
    self.gains = gains
    self.losses = losses
    self.times = times
    self.share = share
  }

  /// Every kind of story, in a fixed order.
  static let all: [Situation] = market + kitchen + school + outdoors + town + workshop
}
