/// Stories of farms, gardens and animals.
extension Situation {
  static let outdoors: [Situation] = [
    Situation(
      "trees", "trees", "How many trees are there {now}?",
      given: ["A park has {a} trees.", "{n} plants {a} trees."], groups: ["A park has {a} rows of {b} trees."],
      gains: ["Workers plant {b} more trees.", "{n} adds {b} trees."],
      losses: ["A storm fells {b} trees.", "Workers cut down {b} trees."],
      times: Ending("Each tree has {b} nests.", "nests", "How many nests are there?"),
      share: Ending("They stand in {b} equal rows.", "trees", "How many trees are in each row?")),
    Situation(
      "cows", "cows", "How many cows are on the farm {now}?",
      given: ["A farm has {a} cows.", "There are {a} cows on a farm."],
      groups: ["A farm has {a} barns with {b} cows each."],
      gains: ["The farmer buys {b} cows.", "Then {b} calves grow into cows."],
      losses: ["The farmer sells {b} cows.", "Then {b} cows run away."],
      times: Ending("Each cow gives {b} liters of milk.", "liters", "How many liters does the farm get?"),
      share: Ending("They live in {b} equal barns.", "cows", "How many cows are in each barn?")),
    Situation(
      "birds", "birds", "How many birds are there {now}?",
      given: ["There are {a} birds in a tree.", "{n} sees {a} birds."],
      groups: ["{n} sees {a} trees with {b} birds each."],
      gains: ["Then {b} birds land.", "Later {b} more birds come."],
      losses: ["Then {b} birds fly away.", "A cat scares off {b} birds."],
      times: Ending("Each bird eats {b} seeds.", "seeds", "How many seeds are eaten?"),
      share: Ending("They sit on {b} equal branches.", "birds", "How many birds are on each branch?")),
    Situation(
      "flowers", "flowers", "How many flowers does {n} have {now}?",
      given: ["{n} picks {a} flowers.", "{n} has {a} flowers."], groups: ["{n} has {a} pots with {b} flowers each."],
      gains: ["{s} picks {b} more flowers.", "{m} brings {o} {b} flowers."],
      losses: ["{s} gives away {b} flowers.", "{s} throws out {b} dry flowers."],
      times: Ending("Each flower has {b} petals.", "petals", "How many petals are there?"),
      share: Ending("{s} puts them equally into {b} vases.", "flowers", "How many flowers are in each vase?")),
    Situation(
      "frogs", "frogs", "How many frogs does {n} have {now}?",
      given: ["{n} catches {a} frogs.", "{n} has {a} frogs."], groups: ["{n} has {a} tanks with {b} frogs each."],
      gains: ["{s} catches {b} more frogs.", "{s} buys {b} frogs."],
      losses: ["{s} frees {b} frogs.", "{s} sells {b} frogs."],
      times: Ending("Each frog eats {b} flies.", "flies", "How many flies are eaten?"),
      share: Ending("{s} puts them equally into {b} tanks.", "frogs", "How many frogs are in each tank?")),
    Situation(
      "pumpkins", "pumpkins", "How many pumpkins does {n} have {now}?",
      given: ["{n} grows {a} pumpkins.", "{n} has {a} pumpkins."], groups: ["{n} grows {a} rows of {b} pumpkins."],
      gains: ["{s} grows {b} more pumpkins.", "{s} gets {b} pumpkins from {m}."],
      losses: ["Rabbits eat {b} pumpkins.", "{s} carves {b} pumpkins."],
      times: Ending("{s} sells each pumpkin for ${b}.", "dollars", "How many dollars does {n} earn?"),
      share: Ending("{s} loads them equally on {b} carts.", "pumpkins", "How many pumpkins are on each cart?")),
    Situation(
      "shells", "shells", "How many shells does {n} have {now}?",
      given: ["{n} finds {a} shells.", "{n} collects {a} shells."],
      groups: ["{n} finds {b} shells on each of {a} days."],
      gains: ["{s} finds {b} more shells.", "{m} gives {o} {b} shells."],
      losses: ["{s} loses {b} shells.", "The sea takes {b} shells."],
      times: Ending("{s} paints {b} dots on each shell.", "dots", "How many dots are there?"),
      share: Ending("{s} makes {b} equal chains of them.", "shells", "How many shells are on each chain?")),
  ]
}
