// LemmaLedger
