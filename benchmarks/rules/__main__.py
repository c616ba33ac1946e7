import sys

from benchmarks.rules import main

if __name__ == "__main__":
    main(sys.argv[1:])
