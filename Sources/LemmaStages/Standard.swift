import LemmaEngine

extension Registry {
  /// Every built-in stage kind.
  public static let standard = Registry([])
}
