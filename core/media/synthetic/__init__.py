"""Generated slides, scans and reports of the sample cohort. Light: numpy, scipy, pillow, tifffile and nibabel."""
