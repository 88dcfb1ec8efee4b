/// First names that are no other English word, in two lists as pronouns depend on them.
enum Names {
  static let female = [
    "Anna", "Beth", "Carla", "Clara", "Diana", "Ella", "Emma", "Gina", "Hannah", "Irene", "Julia", "Karen",
    "Laura", "Lena", "Lucy", "Maria", "Mia", "Nina", "Nora", "Olivia", "Paula", "Rita", "Sara", "Tina",
  ]
  static let male = [
    "Adam", "Alan", "Ben", "Carlos", "David", "Eric", "Felix", "George", "Henry", "Hugo", "Ivan", "James",
    "Kevin", "Leo", "Lucas", "Martin", "Noah", "Omar", "Oscar", "Paul", "Peter", "Simon", "Tom", "Victor",
  ]
  /// Further names that problems from elsewhere use; they are recognised, and never given.
  static let otherFemale = [
    "Alice", "Amanda", "Amy", "Angela", "Betty", "Carol", "Cindy", "Emily", "Jane", "Janet", "Jessica", "Jenny",
    "Jill", "Julie", "Kate", "Katie", "Kelly", "Kim", "Linda", "Lisa", "Marie", "Mary", "Michelle", "Molly",
    "Nancy", "Natalia", "Rachel", "Samantha", "Sarah", "Sophia", "Stephanie", "Susan", "Tanya", "Wendy",
  ]
  static let otherMale = [
    "Albert", "Alex", "Andrew", "Anthony", "Bob", "Brian", "Charles", "Chris", "Daniel", "Danny", "Dennis",
    "Edward", "Fred", "Gary", "Greg", "Harry", "Jacob", "Jason", "Jeff", "Jerry", "Jim", "Jimmy", "Joe", "John",
    "Johnny", "Joseph", "Josh", "Ken", "Larry", "Matt", "Michael", "Mike", "Richard", "Robert", "Roger", "Ryan",
    "Sam", "Steve", "Steven", "Thomas", "Tim", "Tommy", "Tony", "Tyler", "William",
  ]
}
