// LemmaModel
