/// Stories of making, building and working.
extension Situation {
  static let workshop: [Situation] = [
    Situation(
      "beads", "beads", "How many beads does {n} have {now}?",
      given: ["{n} has {a} beads.", "{n} buys {a} beads."], groups: ["{n} has {a} strings of {b} beads each."],
      gains: ["{s} buys {b} more beads.", "{m} gives {o} {b} beads."],
      losses: ["{s} loses {b} beads.", "{s} uses {b} beads."],
      times: Ending("Each bead costs ${b}.", "dollars", "How many dollars do the beads cost?"),
      share: Ending("{s} makes {b} equal chains.", "beads", "How many beads are on each chain?")),
    Situation(
      "chairs", "chairs", "How many chairs are in the hall {now}?",
      given: ["A hall has {a} chairs.", "{n} sets up {a} chairs in a hall."],
      groups: ["{n} sets up {a} rows of {b} chairs in a hall."],
      gains: ["{m} brings {b} more chairs.", "Then {b} chairs are added."],
      losses: ["{m} takes away {b} chairs.", "Then {b} chairs break."],
      times: Ending("Each chair costs ${b}.", "dollars", "How many dollars do the chairs cost?"),
      share: Ending("They stand at {b} equal tables.", "chairs", "How many chairs are at each table?")),
    Situation(
      "bricks", "bricks", "How many bricks does {n} have {now}?",
      given: ["{n} has {a} bricks.", "{n} orders {a} bricks."], groups: ["{n} has {a} piles of {b} bricks each."],
      gains: ["A truck brings {b} bricks.", "{s} buys {b} bricks."],
      losses: ["{s} uses {b} bricks.", "{s} breaks {b} bricks."],
      times: Ending("Each brick weighs {b} pounds.", "pounds", "How many pounds do the bricks weigh?"),
      share: Ending("{s} builds {b} equal steps.", "bricks", "How many bricks are in each step?")),
    Situation(
      "scarves", "scarves", "How many scarves does {n} have {now}?",
      given: ["{n} knits {a} scarves.", "{n} has {a} scarves."],
      groups: ["{n} knits {b} scarves a month for {a} months."],
      gains: ["{s} knits {b} more scarves.", "{s} buys {b} scarves."],
      losses: ["{s} sells {b} scarves.", "{s} gives {b} scarves to {m}."],
      times: Ending("Each scarf takes {b} hours.", "hours", "How many hours does {n} need?"),
      share: Ending("{s} puts them equally into {b} drawers.", "scarves", "How many scarves are in each drawer?")),
    Situation(
      "work", "hours", "How many hours does {n} work {now}?",
      given: ["{n} plans to work {a} hours.", "{n} has a job of {a} hours."],
      groups: ["{n} plans to work {b} hours on each of {a} days."],
      gains: ["{p} boss adds {b} hours.", "{s} takes on {b} extra hours."],
      losses: ["{s} takes off {b} hours.", "{m} takes over {b} hours."],
      times: Ending("{s} is paid ${b} an hour.", "dollars", "How many dollars does {n} earn?"),
      share: Ending("{s} works equally on {b} days.", "hours", "How many hours does {n} work each day?")),
    Situation(
      "boxes", "boxes", "How many boxes are on the truck {now}?",
      given: ["A truck carries {a} boxes.", "{n} loads {a} boxes on a truck."],
      groups: ["A truck carries {a} stacks of {b} boxes."],
      gains: ["{n} loads {b} more boxes.", "Workers add {b} boxes."],
      losses: ["{n} unloads {b} boxes.", "Workers remove {b} boxes."],
      times: Ending("Each box weighs {b} pounds.", "pounds", "How many pounds do the boxes weigh?"),
      share: Ending("They go equally to {b} shops.", "boxes", "How many boxes does each shop get?")),
    Situation(
      "photos", "photos", "How many photos does {n} have {now}?",
      given: ["{n} takes {a} photos.", "{n} has {a} photos."], groups: ["{n} takes {b} photos in each of {a} towns."],
      gains: ["{s} takes {b} more photos.", "{m} sends {o} {b} photos."],
      losses: ["{s} deletes {b} photos.", "{s} gives away {b} photos."],
      times: Ending("{s} prints each photo {b} times.", "prints", "How many prints does {n} make?"),
      share: Ending("{s} fills {b} equal albums.", "photos", "How many photos are in each album?")),
  ]
}
