import Glibc
import LemmaBasics

/// Times the native core for Benchmarks/core/*.py. Prints JSON, a line for each answer.
///   core-timer shapes
///   core-timer train SHAPE PRECISION THREADS STEPS [FOLDER]   (leaves the checkpoint in the folder)
///   core-timer decode SHAPE|FOLDER PRECISION THREADS WAVES SEQUENCES,PROMPT,NEW ...
///   core-timer products PRECISION THREADS        (reads lines of "LAYOUT M N K MILLISECONDS")
let usage = "usage: core-timer shapes | train ... | decode ... | products ... (see main.swift)"

do {
  let arguments = Array(CommandLine.arguments.dropFirst())
  switch arguments.first {
  case "shapes": printShapes()
  case "train": try timeTraining(arguments)
  case "decode": try timeDecoding(arguments)
  case "products": try timeProducts(arguments)
  default: throw Failure(.user, "usage", usage)
  }
} catch {
  print(JSON.object(["error": .string("\(error)")]).canonical)
  exit(1)
}
