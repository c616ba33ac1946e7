"""Pictures of the rules: a healthy stream with one fault, run through the pipeline, drawn as SVG."""
