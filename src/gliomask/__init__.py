"""gliomask: brain-tumour segmentation in MRI with U²-Net."""
