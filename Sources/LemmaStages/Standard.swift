import LemmaEngine

extension Registry {
  /// Every built-in stage kind.
  public static let standard = Registry([
    SeedsStage(), GSM8KStage(), SynthesizeStage(), SplitStage(), DecontaminateStage(), SubsetStage(), TokenizerStage(),
    FineTuneStage(), EvaluateStage(), ReportStage(),
  ])
}
