/// Stories of trips, traffic and public places.
extension Situation {
  static let town: [Situation] = [
    Situation(
      "bus", "people", "How many people are on the bus {now}?",
      given: ["A bus carries {a} people.", "There are {a} people on a bus."],
      groups: ["A bus has {a} rows with {b} people each."],
      gains: ["Then {b} people get on.", "At a stop {b} people board."],
      losses: ["Then {b} people get off.", "At a stop {b} people leave."],
      times: Ending("Each ticket costs ${b}.", "dollars", "How many dollars do they pay?"),
      share: Ending("They change into {b} equal vans.", "people", "How many people are in each van?")),
    Situation(
      "trip", "miles", "How many miles does {n} travel {now}?",
      given: ["{n} plans a trip of {a} miles.", "{n} wants to ride {a} miles."],
      groups: ["{n} plans to ride {b} miles on each of {a} days."],
      gains: ["A detour adds {b} miles.", "{s} adds {b} miles."],
      losses: ["A tunnel saves {b} miles.", "{s} cuts {b} miles."],
      times: Ending("{s} makes this trip {b} times.", "miles", "How many miles does {n} travel altogether?"),
      share: Ending("{s} takes {b} hours at the same speed.", "miles", "How many miles does {n} travel each hour?")),
    Situation(
      "cars", "cars", "How many cars are in the lot {now}?",
      given: ["A lot has {a} cars.", "There are {a} cars in a lot."], groups: ["A lot has {a} rows of {b} cars."],
      gains: ["Then {b} cars drive in.", "Later {b} more cars park."],
      losses: ["Then {b} cars drive off.", "Later {b} cars leave."],
      times: Ending("Each car pays ${b}.", "dollars", "How many dollars do they pay?"),
      share: Ending("They stand on {b} equal floors.", "cars", "How many cars are on each floor?")),
    Situation(
      "letters", "letters", "How many letters does {n} have {now}?",
      given: ["{n} has {a} letters to deliver.", "{n} carries {a} letters."],
      groups: ["{n} has {a} bags of {b} letters each."],
      gains: ["{s} picks up {b} letters.", "{m} hands {o} {b} more letters."],
      losses: ["{s} delivers {b} letters.", "{s} drops off {b} letters."],
      times: Ending("Each letter needs {b} stamps.", "stamps", "How many stamps are needed?"),
      share: Ending("{s} takes them equally to {b} streets.", "letters", "How many letters does each street get?")),
    Situation(
      "museum", "visitors", "How many visitors are in the museum {now}?",
      given: ["A museum has {a} visitors.", "There are {a} visitors in a museum."],
      groups: ["A museum has {a} groups of {b} visitors."],
      gains: ["Then {b} visitors enter.", "Later {b} more visitors arrive."],
      losses: ["Then {b} visitors leave.", "Later {b} visitors go home."],
      times: Ending("Each visitor pays ${b}.", "dollars", "How many dollars do they pay?"),
      share: Ending("They go into {b} equal halls.", "visitors", "How many visitors are in each hall?")),
    Situation(
      "train", "seats", "How many seats are free {now}?",
      given: ["A train has {a} free seats.", "There are {a} free seats on a train."],
      groups: ["A train has {a} cars with {b} free seats each."],
      gains: ["People leave {b} seats.", "Workers add {b} seats."],
      losses: ["People take {b} seats.", "Workers remove {b} seats."],
      times: Ending("Each seat costs ${b}.", "dollars", "How many dollars do these seats cost?"),
      share: Ending("They are in {b} equal cars.", "seats", "How many seats are in each car?")),
    Situation(
      "walking", "blocks", "How many blocks does {n} walk {now}?",
      given: ["{n} plans to walk {a} blocks.", "{n} wants to walk {a} blocks."],
      groups: ["{n} plans {a} walks of {b} blocks each."],
      gains: ["{s} adds {b} blocks.", "A closed road adds {b} blocks."],
      losses: ["A shortcut saves {b} blocks.", "{s} leaves out {b} blocks."],
      times: Ending("Each block takes {b} minutes.", "minutes", "How many minutes does {n} walk?"),
      share: Ending("{s} rests after {b} equal parts.", "blocks", "How many blocks are in each part?")),
  ]
}
