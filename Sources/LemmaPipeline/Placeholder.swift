// LemmaPipeline
