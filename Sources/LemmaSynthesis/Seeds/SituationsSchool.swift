/// Stories of reading, learning and playing.
extension Situation {
  static let school: [Situation] = [
    Situation(
      "reading", "pages", "How many pages does {n} read {now}?",
      given: ["{n} plans to read {a} pages.", "{n} wants to read {a} pages."],
      groups: ["{n} plans to read {b} pages on each of {a} days."],
      gains: ["{s} adds {b} pages.", "{p} teacher asks for {b} more pages."],
      losses: ["{s} skips {b} pages.", "{s} leaves out {b} pages."],
      times: Ending("Each page takes {b} minutes.", "minutes", "How many minutes does {n} read?"),
      share: Ending("{s} reads them in {b} equal days.", "pages", "How many pages does {n} read each day?")),
    Situation(
      "pencils", "pencils", "How many pencils does {n} have {now}?",
      given: ["{n} has {a} pencils.", "{n} buys {a} pencils."], groups: ["{n} has {a} boxes of {b} pencils each."],
      gains: ["{s} gets {b} more pencils.", "{m} gives {o} {b} pencils."],
      losses: ["{s} loses {b} pencils.", "{s} lends {b} pencils to {m}."],
      times: Ending("Each pencil costs ${b}.", "dollars", "How many dollars do the pencils cost?"),
      share: Ending("{s} puts them equally into {b} cups.", "pencils", "How many pencils are in each cup?")),
    Situation(
      "students", "students", "How many students are in the class {now}?",
      given: ["A class has {a} students.", "There are {a} students in a class."],
      groups: ["A class has {a} rows of {b} students."],
      gains: ["Then {b} students join.", "Later {b} new students come."],
      losses: ["Then {b} students leave.", "Later {b} students go home."],
      times: Ending("Each student gets {b} books.", "books", "How many books are needed?"),
      share: Ending("They form {b} equal teams.", "students", "How many students are in each team?")),
    Situation(
      "library", "books", "How many books are on the shelf {now}?",
      given: ["A shelf has {a} books.", "There are {a} books on a shelf."],
      groups: ["A shelf has {a} stacks of {b} books."],
      gains: ["{n} adds {b} books.", "Readers return {b} books."],
      losses: ["{n} borrows {b} books.", "Then {b} books are sold."],
      times: Ending("Each book has {b} pictures.", "pictures", "How many pictures are in the books?"),
      share: Ending("They are put into {b} equal boxes.", "books", "How many books are in each box?")),
    Situation(
      "game", "points", "How many points does {n} have {now}?",
      given: ["{n} scores {a} points.", "{n} starts with {a} points."],
      groups: ["{n} scores {b} points in each of {a} games."],
      gains: ["{s} wins {b} points.", "{s} gets {b} bonus points."],
      losses: ["{s} loses {b} points.", "{s} pays {b} points."],
      times: Ending("A star makes it {b} times as many.", "points", "How many points does {n} have in the end?"),
      share: Ending("{s} got the same in each of {b} rounds.", "points", "How many points does {n} have per round?")),
    Situation(
      "team", "players", "How many players are in the club {now}?",
      given: ["A club has {a} players.", "There are {a} players in a club."],
      groups: ["A club has {a} teams of {b} players."],
      gains: ["Then {b} players join.", "The coach finds {b} new players."],
      losses: ["Then {b} players leave.", "The coach sends {b} players home."],
      times: Ending("Each player needs {b} balls.", "balls", "How many balls are needed?"),
      share: Ending("They make {b} equal teams.", "players", "How many players are in each team?")),
    Situation(
      "paintings", "pictures", "How many pictures does {n} have {now}?",
      given: ["{n} paints {a} pictures.", "{n} draws {a} pictures."],
      groups: ["{n} paints {b} pictures a day for {a} days."],
      gains: ["{s} paints {b} more pictures.", "{s} gets {b} pictures from {m}."],
      losses: ["{s} tears up {b} pictures.", "{s} sells {b} pictures."],
      times: Ending("Each picture shows {b} birds.", "birds", "How many birds are there?"),
      share: Ending("{s} hangs them equally in {b} rooms.", "pictures", "How many pictures are in each room?")),
  ]
}
