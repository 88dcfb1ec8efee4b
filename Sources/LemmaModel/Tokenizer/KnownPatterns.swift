import LemmaBasics

/// The patterns by which well-known families of models cut text.
enum KnownPatterns {
  /// GPT-2's (Radford et al., 2019), which `ByteLevel` means by `use_regex`.
  static let gpt2Source =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

  /// Llama 3's, with numbers in groups of at most three digits.
  static let llama3Source =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

  /// Qwen 2's, with single digits.
  static let qwen2Source =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

  static let gpt2: TextPattern = {
    guard let pattern = try? TextPattern(regex: gpt2Source, file: "") else {
      preconditionFailure("Oniguruma takes the pattern of GPT-2")
    }
    return pattern
  }()
}
