// LemmaEvaluation
