// LemmaHash
