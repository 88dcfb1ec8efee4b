// LemmaStore
