// LemmaReport
