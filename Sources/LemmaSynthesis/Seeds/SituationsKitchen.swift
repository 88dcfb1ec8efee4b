/// Stories of baking, cooking and eating.
extension Situation {
  static let kitchen: [Situation] = [
    Situation(
      "cookies", "cookies", "How many cookies does {n} have {now}?",
      given: ["{n} bakes {a} cookies.", "{n} has {a} cookies."], groups: ["{n} bakes {a} trays of {b} cookies each."],
      gains: ["{s} bakes {b} more cookies.", "{m} brings {b} cookies."],
      losses: ["{s} eats {b} cookies.", "{s} drops {b} cookies."],
      times: Ending("Each cookie has {b} nuts.", "nuts", "How many nuts are there?"),
      share: Ending("{s} packs them equally into {b} boxes.", "cookies", "How many cookies are in each box?")),
    Situation(
      "pizza", "slices", "How many slices are there {now}?",
      given: ["There are {a} slices of pizza.", "{n} orders {a} slices of pizza."],
      groups: ["{n} cuts {a} pizzas into {b} slices each."],
      gains: ["{m} brings {b} more slices.", "Then {b} slices are baked."],
      losses: ["{n} eats {b} slices.", "Then {b} slices are sold."],
      times: Ending("Each slice has {b} olives.", "olives", "How many olives are there?"),
      share: Ending("{b} children share them equally.", "slices", "How many slices does each child get?")),
    Situation(
      "eggs", "eggs", "How many eggs does {n} have {now}?",
      given: ["{n} has {a} eggs.", "{n} buys {a} eggs."], groups: ["{n} has {a} cartons of {b} eggs each."],
      gains: ["{p} hens lay {b} eggs.", "{s} gets {b} eggs from {m}."],
      losses: ["{s} boils {b} eggs.", "{s} breaks {b} eggs."],
      times: Ending("{s} sells each egg for ${b}.", "dollars", "How many dollars does {n} earn?"),
      share: Ending("{s} uses them equally in {b} cakes.", "eggs", "How many eggs are in each cake?")),
    Situation(
      "muffins", "muffins", "How many muffins are there {now}?",
      given: ["A bakery makes {a} muffins.", "A baker has {a} muffins."],
      groups: ["A bakery fills {a} trays with {b} muffins each."],
      gains: ["It bakes {b} more muffins.", "Then {b} muffins come out of the oven."],
      losses: ["Guests eat {b} muffins.", "Then {b} muffins are sold."],
      times: Ending("Each muffin costs ${b}.", "dollars", "How many dollars do the muffins cost?"),
      share: Ending("They fill {b} equal boxes.", "muffins", "How many muffins are in each box?")),
    Situation(
      "candies", "candies", "How many candies does {n} have {now}?",
      given: ["{n} has {a} candies.", "{n} gets {a} candies."], groups: ["{n} buys {a} packs of {b} candies each."],
      gains: ["{m} gives {o} {b} candies.", "{s} finds {b} candies."],
      losses: ["{s} eats {b} candies.", "{s} hands out {b} candies."],
      times: Ending("{p} brother has {b} times as many.", "candies", "How many candies does the brother have?"),
      share: Ending("{s} shares them equally among {b} cousins.", "candies", "How many candies does each cousin get?")),
    Situation(
      "sandwiches", "sandwiches", "How many sandwiches does {n} have {now}?",
      given: ["{n} makes {a} sandwiches.", "{n} packs {a} sandwiches."],
      groups: ["{n} makes {b} sandwiches for each of {a} tables."],
      gains: ["{s} makes {b} more sandwiches.", "{m} adds {b} sandwiches."],
      losses: ["{s} sells {b} sandwiches.", "{p} dog eats {b} sandwiches."],
      times: Ending("Each sandwich has {b} tomatoes.", "tomatoes", "How many tomatoes does {n} need?"),
      share: Ending("{s} puts them on {b} equal plates.", "sandwiches", "How many sandwiches are on each plate?")),
    Situation(
      "jam", "jars", "How many jars does {n} have {now}?",
      given: ["{n} fills {a} jars with jam.", "{n} has {a} jars of jam."],
      groups: ["{n} has {a} crates with {b} jars of jam each."],
      gains: ["{s} cooks {b} more jars.", "{s} gets {b} jars from {m}."],
      losses: ["{s} sells {b} jars.", "{s} opens {b} jars."],
      times: Ending("Each jar needs {b} plums.", "plums", "How many plums does {n} need?"),
      share: Ending("{s} packs them into {b} equal crates.", "jars", "How many jars are in each crate?")),
  ]
}
