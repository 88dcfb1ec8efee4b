// LemmaEngine
