/// Stories of buying, selling, saving and collecting.
extension Situation {
  static let market: [Situation] = [
    Situation(
      "apples", "apples", "How many apples does {n} have {now}?",
      given: ["{n} has {a} apples.", "{n} picks {a} apples."], groups: ["{n} has {a} bags of {b} apples each."],
      gains: ["{s} buys {b} more apples.", "{s} finds {b} apples in a basket."],
      losses: ["{s} eats {b} apples.", "{s} gives {b} apples to {m}."],
      times: Ending("{s} sells every apple for ${b}.", "dollars", "How many dollars does {n} get?"),
      share: Ending("{s} puts them equally into {b} bags.", "apples", "How many apples are in each bag?")),
    Situation(
      "marbles", "marbles", "How many marbles does {n} have {now}?",
      given: ["{n} owns {a} marbles.", "{n} has {a} marbles."], groups: ["{n} has {a} jars with {b} marbles each."],
      gains: ["{s} wins {b} marbles.", "{m} gives {o} {b} marbles."],
      losses: ["{s} loses {b} marbles.", "{s} trades away {b} marbles."],
      times: Ending("Each marble is worth {b} points.", "points", "How many points does {n} have?"),
      share: Ending("{s} shares them equally among {b} friends.", "marbles", "How many marbles does each friend get?")),
    Situation(
      "savings", "dollars", "How many dollars does {n} have {now}?",
      given: ["{n} has ${a}.", "{n} has saved ${a}."], groups: ["{n} saves ${b} a week for {a} weeks."],
      gains: ["{s} earns ${b} by washing cars.", "{p} aunt gives {o} ${b}."],
      losses: ["{s} spends ${b} on a book.", "{s} lends ${b} to {m}."],
      times: Ending("{p} uncle makes it {b} times as much.", "dollars", "How many dollars does {n} have in the end?"),
      share: Ending("{s} spends all of it on {b} equal tickets.", "dollars", "How many dollars does each ticket cost?")),
    Situation(
      "stamps", "stamps", "How many stamps does {n} have {now}?",
      given: ["{n} collects {a} stamps.", "{n} has {a} stamps."], groups: ["{n} has {a} pages with {b} stamps each."],
      gains: ["{s} buys {b} new stamps.", "{m} sends {o} {b} stamps."],
      losses: ["{s} sells {b} stamps.", "{s} uses {b} stamps."],
      times: Ending("Every stamp is worth ${b}.", "dollars", "How many dollars can {n} get for them?"),
      share: Ending("{s} fills {b} pages equally.", "stamps", "How many stamps are on each page?")),
    Situation(
      "shirts", "shirts", "How many shirts are in the shop {now}?",
      given: ["A shop has {a} shirts.", "There are {a} shirts in a shop."],
      groups: ["A shop has {a} shelves with {b} shirts each."],
      gains: ["It gets {b} new shirts.", "Then {b} more shirts arrive."],
      losses: ["It sells {b} shirts.", "Then {b} shirts are sent back."],
      times: Ending("It sells each shirt for ${b}.", "dollars", "How many dollars does the shop get?"),
      share: Ending("They hang on {b} equal racks.", "shirts", "How many shirts are on each rack?")),
    Situation(
      "lemonade", "cups", "How many cups does {n} have {now}?",
      given: ["{n} makes {a} cups of lemonade.", "{n} has {a} cups of lemonade."],
      groups: ["{n} makes {a} jugs of lemonade with {b} cups each."],
      gains: ["{s} makes {b} more cups.", "{m} brings {b} cups."],
      losses: ["{s} drinks {b} cups.", "{s} spills {b} cups."],
      times: Ending("{s} sells each cup for ${b}.", "dollars", "How many dollars does {n} earn?"),
      share: Ending("{b} guests drink them equally.", "cups", "How many cups does each guest drink?")),
    Situation(
      "toys", "toys", "How many toys does {n} have {now}?",
      given: ["{n} has {a} toys.", "{n} gets {a} toys."], groups: ["{n} has {a} boxes with {b} toys each."],
      gains: ["{s} gets {b} toys as gifts.", "{s} buys {b} more toys."],
      losses: ["{s} breaks {b} toys.", "{s} gives away {b} toys."],
      times: Ending("{s} sells each toy for ${b}.", "dollars", "How many dollars does {n} get?"),
      share: Ending("{s} puts them equally on {b} shelves.", "toys", "How many toys are on each shelf?")),
  ]
}
